// Bad input, item by item: each gets its OCI error, nothing is half stored, the server stays up and its memory flat.

import { after } from 'node:test'
import { layerSuite } from './hostile/layers.ts'
import { manifestSuite } from './hostile/manifests.ts'
import { pathSuite } from './hostile/paths.ts'
import { tokenSuite } from './hostile/tokens.ts'
import { uploadSuite } from './hostile/uploads.ts'
import { openWorld } from './support/world.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

for (const suite of [uploadSuite, manifestSuite, pathSuite, tokenSuite, layerSuite]) suite((options) => openWorld(stack, options))
