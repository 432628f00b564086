// The registry protocol where the conformance suite does not look.

import { after } from 'node:test'
import { manifestProtocol } from './protocol/manifests.ts'
import { uploadProtocol } from './protocol/uploads.ts'
import { openWorld } from './support/world.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

for (const suite of [uploadProtocol, manifestProtocol]) suite((options) => openWorld(stack, options))
