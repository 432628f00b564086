import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { LazaretError, messageOf } from '../errors.ts'

const mostBytes = 4 * 1024 * 1024
const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g
const trusted = new Set<string>()

/**
 * Trusts the authorities of a file beside the usual ones, in this process: for HTTP, and for PostgreSQL by TLS.
 * In: the path of a PEM file, or nothing. Errors: SETTING_INVALID where it can't be read, or holds what is no certificate.
 */
export function trustAuthorities(path: string | undefined): void {
  if (path === undefined || trusted.has(path)) return
  const certificates = certificatesIn(path)
  setDefaultCACertificates([...getCACertificates('default'), ...certificates])
  trusted.add(path)
}

function certificatesIn(path: string): string[] {
  const certificates = textOf(path).match(block) ?? []
  if (certificates.length === 0) throw new LazaretError('SETTING_INVALID', `network.ca: ${path} holds no certificate in PEM`)
  for (const [at, certificate] of certificates.entries()) {
    try {
      void new X509Certificate(certificate)
    } catch (cause) {
      const words = `network.ca: certificate ${at + 1} of ${certificates.length} in ${path} can't be read: ${messageOf(cause)}`
      throw new LazaretError('SETTING_INVALID', words, { cause })
    }
  }
  return certificates
}

function textOf(path: string): string {
  try {
    if (statSync(path).size > mostBytes) throw new LazaretError('SETTING_INVALID', `network.ca: ${path} has more than ${mostBytes} bytes`)
    return readFileSync(path, 'latin1')
  } catch (cause) {
    if (cause instanceof LazaretError) throw cause
    throw new LazaretError('SETTING_INVALID', `network.ca can't be read: ${messageOf(cause)}`, { cause })
  }
}
