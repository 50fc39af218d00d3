"""FrançaisFluide: learners write, practise and read why (docs/french-checker.md)."""
