"""What people read, one to three statements a view."""
