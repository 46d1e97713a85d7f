"""What must hold for a build to be published."""
