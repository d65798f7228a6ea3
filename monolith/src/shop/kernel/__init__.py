"""What every module stands on: transactions, time, money, errors. It knows no module and no web framework."""
