"""Turn the answers to a question into pictures with a title, axes and a reading under the cursor."""
