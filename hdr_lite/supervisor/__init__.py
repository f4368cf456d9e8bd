"""The supervisor: forks the processes from one warm parent and watches them."""
