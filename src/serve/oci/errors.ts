import { LazaretError } from '../../kit/errors.ts'
import type { Answer } from '../../kit/http.ts'
import { asNoRoom } from '../../kit/no-room.ts'

/**
 * OCI distribution-spec, "Error Codes". In: anything thrown. Out: the answer; what is not ours is INTERNAL and says nothing
 * of its inside.
 */
export function errorAnswer(error: unknown): Answer & { body: string; reasonPhrase?: string } {
  const known = error instanceof LazaretError ? error : (asNoRoom(error) ?? unknownError(error))
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

function unknownError(cause: unknown): LazaretError {
  return new LazaretError('INTERNAL', 'the server failed; its log says why', { cause })
}
