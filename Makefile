# What there is to do with a checkout. Each target is a script that can be run by itself.
.PHONY: run test bench lint sqlx clean-data

run: ## Installs what is missing, builds a release, serves on a private PostgreSQL in ./data
	scripts/run

test: ## Installs what the tests need and runs all of them
	scripts/test

bench: ## Measures a release build against PostgreSQL's own ceiling
	bench/run

lint: ## Form and lints, as the tests ask for them
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

sqlx: ## Writes the query cache in .sqlx anew, after a change of a query or a migration
	scripts/sqlx-prepare

clean-data: ## Removes ./data with all mail in it; the server has to be stopped
	scripts/clean-data
