"""The exit codes of commands, as in --help."""

EXIT_CODES = """\b
Exit codes:
    0  done, also when there was no digit, and when SIGTERM ended a video, camera or stream
    1  a picture was missing or unreadable (the others were read)
    2  a wrong option, or a package that is not installed
    3  a camera or stream is not there, or gives no frame any more
    4  the model was refused
    5  the network does not answer on this machine as it must
    6  an output could not be written
  130  Ctrl-C
"""
