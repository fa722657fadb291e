"""What every floor may use: settings, errors, time, secrets, logs."""
