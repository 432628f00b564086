// What an answer must look like.

import assert from 'node:assert/strict'
import { type ErrorCode, errorCodes } from '../../../src/kit/errors.ts'
import type { Answer } from '../../support/protocol.ts'

export interface OciProblem {
  code: string
  message: string
  detail?: unknown
}

/**
 * Holds an answer to the distribution-spec's "Error Codes": the status, JSON of one error with a code of the closed list, a
 * message in one line, and nothing else. Out: the error. A HEAD has no body to hold: pass `head`.
 */
export function expectError(answer: Answer, status: number, code: ErrorCode): OciProblem {
  const text = answer.body.toString('utf8')
  assert.equal(answer.status, status, text.slice(0, 1000))
  return { ...expectErrorShape(answer), code: assertCode(text, code) }
}

/** The shape alone, whatever the code: for requests that are wrong in more than one way. */
export function expectErrorShape(answer: Answer): OciProblem {
  const text = answer.body.toString('utf8')
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${text.slice(0, 1000)}`)
  assert.equal(answer.headers.get('content-type'), 'application/json', text.slice(0, 1000))
  assert.equal(answer.headers.get('content-length'), String(answer.body.length))
  const body = JSON.parse(text) as { errors: OciProblem[] }
  assert.deepEqual(Object.keys(body), ['errors'])
  assert.equal(body.errors.length, 1)
  const [problem] = body.errors as [OciProblem]
  assert.deepEqual(
    Object.keys(problem).filter((key) => !['code', 'message', 'detail'].includes(key)),
    [],
  )
  assert.ok(Object.hasOwn(errorCodes, problem.code), problem.code)
  assert.match(problem.message, /^[^\n\r]{1,2000}$/)
  return problem
}

function assertCode(text: string, code: ErrorCode): string {
  const found = (JSON.parse(text) as { errors: OciProblem[] }).errors[0]?.code
  assert.equal(found, code, text.slice(0, 1000))
  return code
}

/** A refusal of the gate: 403, DENIED, and its line as the reason phrase too. Out: the error. */
export function expectHeld(answer: Answer, line?: RegExp): OciProblem {
  const problem = expectError(answer, 403, 'DENIED')
  assert.equal(answer.reason, problem.message)
  assert.match(problem.message, /^lazaret: [\x20-\x7e]{1,191}$/)
  if (line !== undefined) assert.match(problem.message, line)
  return problem
}

export function expectOk(answer: Answer, status = 200): Answer {
  assert.equal(answer.status, status, `${answer.reason} ${answer.body.toString('utf8').slice(0, 1000)}`)
  return answer
}

export function jsonOf<T>(answer: Answer): T {
  return JSON.parse(answer.body.toString('utf8')) as T
}
