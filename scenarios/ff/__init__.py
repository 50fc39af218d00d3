"""FrançaisFluide's visitors: what each of them asks for, by part of the service."""
