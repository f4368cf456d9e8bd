"""The program on real interfaces, in network namespaces that the tests make and remove."""
