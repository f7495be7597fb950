"""Tables (one module a noun), the engine and the migrations. Nothing here commits; services do."""
