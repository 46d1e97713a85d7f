"""The wire format of chat completions, free of any network: what is asked, what comes back.

address  the URL that is called, and what it says about who answers
body     a Request -> the bytes of an HTTP request
reply    the bytes of a 200 -> a Reply
fault    any other answer -> the BackendError that it means
"""
