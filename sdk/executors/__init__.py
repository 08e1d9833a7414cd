"""Work on engines that exist: processes of this machine, any executor of `concurrent.futures`, or Ray.

No scheduler of our own: a piece of work is a list of small tasks over arrays that all of them share. An
engine brings the arrays to its workers once, runs the tasks in any order, and gives each result as it is
ready.
"""

from mizzle.executors.engine import Engine, Executing, check_executor, opened

__all__ = ["Engine", "Executing", "check_executor", "opened"]
