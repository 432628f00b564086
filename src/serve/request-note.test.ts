import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { requestIdOf } from './request-note.ts'

function withId(id: string | undefined): IncomingMessage {
  const message = new IncomingMessage(new Socket())
  message.headers = id === undefined ? {} : { 'x-request-id': id }
  return message
}

test('ids that are made are never the same, and stay with their request', () => {
  const ids = new Set(Array.from({ length: 5000 }, () => requestIdOf(withId(undefined))))
  assert.equal(ids.size, 5000)
  const message = withId('not an id')
  assert.equal(requestIdOf(message), requestIdOf(message))
})

test('whatever a client sends, an id is harmless in a header and in a line', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.stringMatching(/^[\w.:-]{1,200}$/)), (given) => {
      const id = requestIdOf(withId(given))
      assert.match(id, /^[A-Za-z0-9.:_-]{1,128}$/)
      if (/^[A-Za-z0-9.:_-]{1,128}$/.test(given) && !given.includes('\n')) assert.equal(id, given)
    }),
  )
})
