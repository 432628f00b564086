import { LazaretError } from '../../kit/errors.ts'
import type { Answer } from '../../kit/http.ts'

/**
 * OCI distribution-spec, "Error Codes". In: anything thrown. Out: the answer; what is not ours is INTERNAL and says nothing
 * of its inside.
 */
export function errorAnswer(error: unknown): Answer & { reasonPhrase?: string } {
  const known =
    error instanceof LazaretError ? error : new LazaretError('INTERNAL', 'the server failed; its log says why', { cause: error })
  const body = JSON.stringify({
    errors: [{ code: known.code, message: known.message, ...(known.detail === undefined ? {} : { detail: known.detail }) }],
  })
  return {
    status: known.status,
    headers: { ...known.headers, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
    body,
    ...(known.message.startsWith('lazaret: ') ? { reasonPhrase: known.message } : {}),
  }
}
