"""How many threads of the processor a sum may take: one."""

from functools import cache


@cache
def one() -> None:
    """From now on, numpy adds up in the thread that asks and in no other of this process.

    Several would mostly wait for each other, and they wait by asking again and again: one mail
    cost nearly three times the processor's time. The machine has other things to do, and sums
    come out alike everywhere.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
