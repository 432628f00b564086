// What may not be pulled, by every way that was ever found around such a rule; over SQLite.

import { after } from 'node:test'
import { leakSuites } from './leaks/all.ts'
import { openWorld } from './support/world.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

leakSuites({ name: 'SQLite', open: (options) => openWorld(stack, options) })
