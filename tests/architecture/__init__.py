"""The shape of the code: who imports whom, how long a file may be, what every file begins with."""
