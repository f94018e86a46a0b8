"""Studies of classifiers: methods × draws × seeds × rotations, kept item by item, and the tables made of them."""
