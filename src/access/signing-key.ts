import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { LazaretError } from '../kit/errors.ts'
import { createPrivateFile, readPrivateFile } from './private-file.ts'

/** The pair that signs our tokens. `kid`: RFC 7638 thumbprint of the public half. */
export interface SigningKey {
  privateKey: KeyObject
  publicKey: KeyObject
  kid: string
}

/**
 * In: the data folder. Out: the Ed25519 key in `keys/token.key` (PKCS #8 PEM), made where there is none; two processes
 * that start at once end with the same one. Nodes that share a database must share this file.
 * Throws LazaretError UNREADABLE where the file holds something else, UNAVAILABLE where it can't be read or written.
 */
export async function loadSigningKey(dataFolder: string): Promise<SigningKey> {
  const pair = await loadPair(join(dataFolder, 'keys', 'token.key'), 'which ends all tokens')
  return { ...pair, kid: await calculateJwkThumbprint(await exportJWK(pair.publicKey)) }
}

export type KeyPair = Pick<SigningKey, 'privateKey' | 'publicKey'>

/** In: the file, and what is lost with another key. Out: the pair in it, made where there is none. Throws as `loadSigningKey`. */
export async function loadPair(path: string, lost: string): Promise<KeyPair> {
  const privateKey = parseKey(path, (await readPrivateFile(path)) ?? (await makeKey(path)), lost)
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

async function makeKey(path: string): Promise<string> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  if (await createPrivateFile(path, pem)) return pem
  const theirs = await readPrivateFile(path)
  if (theirs === undefined) throw new LazaretError('UNAVAILABLE', `${path} was there and is gone: start again`)
  return theirs
}

function parseKey(path: string, pem: string, lost: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw new LazaretError('UNREADABLE', `${path} holds no private key: remove it to have a new one made, ${lost}`, { cause })
  }
  throw new LazaretError('UNREADABLE', `${path} holds a key of another kind than Ed25519`)
}
