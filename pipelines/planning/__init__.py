"""What a build would still call and cost: counted on the same coroutines, nothing called."""
