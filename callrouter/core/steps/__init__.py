"""What a step of the engine is made of. Pure.

`turn` is what one input leads to. `people` keeps the books of who is rung, talks, listens in and is consulted: what is
heard of them changes the record, and asks for nothing. `walk` goes from node to node until one waits. `taking_over`
goes on with a call that another engine had.
"""
