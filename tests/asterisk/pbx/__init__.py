"""What is looked at of a whole PBX."""
