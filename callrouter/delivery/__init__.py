"""What clients' systems are to be told, on its way to them: `queue` keeps, delivers and tries again."""
