"""`medseg bundle`: one file a command or two, registered in app.py."""
