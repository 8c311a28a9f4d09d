"""What is done when the data of two peers differ: each finds out, with the other, which value of which frame did so first.

`evidence` is what a host keeps of its own run until its peers have agreed on it; `witness` answers questions about it;
`questions` are those questions and their answers as bytes; `inquiry` is which are asked, in which order; `report` is what
comes out; and `diagnosis` is one such conversation in time. None of it knows of transports, pages or files.
"""
