import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { createFront } from './front.ts'
import type { Listener } from './oci/oci.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

interface Waiting {
  begun: number
  answer: () => void
}

/** A server whose answers wait until they are asked for. */
async function waiting(): Promise<Waiting & { port: number }> {
  const state: Waiting = { begun: 0, answer: () => undefined }
  const answers: (() => void)[] = []
  const oci: Listener = (_request, response) => {
    state.begun++
    answers.push(() => response.end('x'))
  }
  const nothing = { watch: () => undefined, stop: () => undefined }
  const watch = { begin: () => undefined, open: () => 0 }
  const server = createServer(createFront({ watch, slow: nothing, tracing: undefined }, oci)(oci))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  state.answer = () => {
    for (const end of answers.splice(0)) end()
  }
  return Object.assign(state, { port: (server.address() as AddressInfo).port })
}

const ask = 'GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n'

test('who asks far ahead is cut off, and does not have all of it under way', async () => {
  const server = await waiting()
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => undefined) // it is reset
  socket.write(ask.repeat(200))
  await once(socket, 'close')
  assert.equal(server.begun, 16)
})

test('who asks a few ahead, and again and again, is served', async () => {
  const server = await waiting()
  const socket = connect(server.port, '127.0.0.1')
  let seen = ''
  socket.on('data', (bytes) => (seen += bytes.toString('latin1')))
  for (let round = 1; round <= 5; round++) {
    socket.write(ask.repeat(10))
    while (server.begun < round * 10) await new Promise(setImmediate)
    server.answer()
    while (seen.split('HTTP/1.1 200').length - 1 < round * 10) await new Promise(setImmediate)
  }
  socket.end()
  await once(socket, 'close')
})
