"""What is counted, by which name, and the meters that count it. It knows no socket, no clock and no exporter."""
