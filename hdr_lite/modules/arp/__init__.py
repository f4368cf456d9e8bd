"""ARP: scans, addresses from elsewhere, answers nobody asked for, men in the middle."""
