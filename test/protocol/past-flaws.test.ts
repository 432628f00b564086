// Flaws that registries had: one regression test a class, named by its records. Those of accounts alone stand in
// src/access/past-flaws.test.ts; those of what does not exist here yet are left out by name.

import { after } from 'node:test'
import { contentFlaws } from './past-flaws/content.ts'
import { rightsFlaws } from './past-flaws/rights.ts'
import { openWorld } from './support/world.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

for (const suite of [rightsFlaws, contentFlaws]) suite((options) => openWorld(stack, options))
