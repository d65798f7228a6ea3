"""What every extracted service needs; knows no service."""
