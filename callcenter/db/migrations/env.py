"""Alembic's entry: runs the migrations on the connection that callcenter.db.migrate hands over."""

from alembic import context

from callcenter.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    user_module_prefix="base.",
)
with context.begin_transaction():
    context.run_migrations()
