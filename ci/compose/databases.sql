-- Run once by PostgreSQL, in an empty volume: a database for the shop, which the catalog shares, and one for flags.
CREATE ROLE shop LOGIN PASSWORD 'shop';
CREATE DATABASE shop OWNER shop;
CREATE ROLE strangler LOGIN PASSWORD 'strangler';
CREATE DATABASE strangler OWNER strangler;
