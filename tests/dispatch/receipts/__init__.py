"""What became of mail: `bounces` are mails of the kinds that come back, written by ourselves after their shapes."""
