"""HTTP and nothing else: strict requests in, batches to the model, problem+json out.

`app` makes the application, `server` runs it, `settings` reads the environment. Importing this
package loads none of them.
"""
