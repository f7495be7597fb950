"""A hotline's follow-up in virtual time: residents, agents, a provider and faults around the product's own services."""
