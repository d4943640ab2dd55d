"""What every step needs: problems and messages, files and folders, shared types."""
