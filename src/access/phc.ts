// PHC string format (github.com/P-H-C/phc-string-format) for argon2id:
//   $argon2id$v=19$m=19456,t=2,p=1$SALT$TAG      SALT and TAG in base64 without padding

export interface PhcParameters {
  memoryKiB: number
  passes: number
  lanes: number
}

export interface Phc {
  parameters: PhcParameters
  salt: Uint8Array
  tag: Uint8Array
}

const form = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

// Above today's parameters and below what would let a stored string stop the server.
const mostMemoryKiB = 262_144
const mostPasses = 16
const mostLanes = 8

/** In: any text. Out: its parts, or undefined where it is not an argon2id string that is safe to compute. */
export function parsePhc(text: string): Phc | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  const [memoryKiB, passes, lanes] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const salt = decode(match[4] ?? '')
  const tag = decode(match[5] ?? '')
  if (salt === undefined || tag === undefined) return undefined
  if (lanes < 1 || lanes > mostLanes || passes < 1 || passes > mostPasses) return undefined
  if (memoryKiB < 8 * lanes || memoryKiB > mostMemoryKiB) return undefined
  return { parameters: { memoryKiB, passes, lanes }, salt, tag }
}

export function formatPhc(phc: Phc): string {
  const { memoryKiB, passes, lanes } = phc.parameters
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${encode(phc.salt)}$${encode(phc.tag)}`
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

/** Only the one spelling that `encode` writes. */
function decode(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return encode(bytes) === text ? bytes : undefined
}
