import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { LazaretError } from '../kit/errors.ts'
import { createSlots } from '../kit/slots.ts'
import { formatPhc, parsePhc, type Phc, type PhcParameters } from './phc.ts'

/** OWASP Password Storage Cheat Sheet, Argon2id, second row: 19 MiB, two passes, one lane. */
const owasp: PhcParameters = { memoryKiB: 19_456, passes: 2, lanes: 1 }

// Hashing runs on the thread pool that file reads and writes use too: two at once leave room for pushes.
const slotLimits = { atOnce: 2, waiting: 64 }

export const maxPasswordBytes = 1024
const saltBytes = 16
const tagBytes = 32

export interface Passwords {
  /** Out: a PHC string (`$argon2id$v=19$…`) with a new salt. */
  hash(password: string): Promise<string>
  /**
   * In: what was typed, and the stored PHC string, or undefined for a user that does not exist: that costs the same
   * and never matches. Out: whether it matches, and whether it was stored with other parameters than today's.
   */
  verify(password: string, stored: string | undefined): Promise<{ matches: boolean; outdated: boolean }>
}

/**
 * Argon2id (RFC 9106) by Node's own crypto, two at once and 64 waiting.
 * Both throw LazaretError TOOMANYREQUESTS beyond that; `hash` INPUT_INVALID on a password over 1,024 bytes, `verify`
 * INTERNAL where the stored string can't be read.
 */
export function createPasswords(options: { parameters?: PhcParameters; slots?: { atOnce: number; waiting: number } } = {}): Passwords {
  const parameters = options.parameters ?? owasp
  const inSlot = createSlots({ ...(options.slots ?? slotLimits), full: tooMany })
  const nobody: Phc = { parameters, salt: randomBytes(saltBytes), tag: randomBytes(tagBytes) }

  return {
    async hash(password) {
      const message = passwordBytes(password)
      if (message === undefined) throw new LazaretError('INPUT_INVALID', `a password has at most ${maxPasswordBytes} bytes`)
      const salt = randomBytes(saltBytes)
      const tag = await inSlot(() => derive(message, salt, parameters, tagBytes))
      return formatPhc({ parameters, salt, tag })
    },
    async verify(password, stored) {
      const message = passwordBytes(password)
      const phc = stored === undefined ? nobody : readStored(stored)
      const tag = await inSlot(() => derive(message ?? Buffer.alloc(0), phc.salt, phc.parameters, phc.tag.length))
      const matches = timingSafeEqual(tag, phc.tag) && stored !== undefined && message !== undefined
      return { matches, outdated: !sameParameters(phc, parameters) }
    },
  }
}

const argon2Async = promisify(argon2)

function derive(message: Uint8Array, nonce: Uint8Array, parameters: PhcParameters, tagLength: number): Promise<Buffer> {
  const { memoryKiB, passes, lanes } = parameters
  return argon2Async('argon2id', { message, nonce, tagLength, memory: memoryKiB, passes, parallelism: lanes })
}

/**
 * NFC, as RFC 8265 (OpaqueString) has it: the same letters typed on two systems are the same password.
 * Out: its bytes, or undefined where they are too many.
 */
function passwordBytes(password: string): Buffer | undefined {
  if (password.length > maxPasswordBytes) return undefined
  const bytes = Buffer.from(password.normalize('NFC'))
  return bytes.length > maxPasswordBytes ? undefined : bytes
}

function readStored(stored: string): Phc {
  const phc = parsePhc(stored)
  if (phc === undefined) throw new LazaretError('INTERNAL', 'a stored password is not an argon2id string that can be checked: set it anew')
  return phc
}

function sameParameters(phc: Phc, wanted: PhcParameters): boolean {
  const { memoryKiB, passes, lanes } = phc.parameters
  return memoryKiB === wanted.memoryKiB && passes === wanted.passes && lanes === wanted.lanes && phc.tag.length === tagBytes
}

function tooMany(): LazaretError {
  return new LazaretError('TOOMANYREQUESTS', 'too many sign-ins at the same time, try again', { headers: { 'retry-after': '1' } })
}
