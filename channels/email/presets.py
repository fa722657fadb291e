"""What mail providers want of a program, as their own help pages say; see `Preset`."""

from channels.form import OTHER, Preset

PRESETS = (Preset(OTHER, "Another provider or server", asks=("imap_host", "smtp_host")),)
