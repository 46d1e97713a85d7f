"""What finished units leave behind, on its way to selection and publishing."""
