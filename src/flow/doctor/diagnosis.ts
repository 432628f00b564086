/** `note`: nothing to mend, good to know. `warning`: may become wrong. `wrong`: to be mended. */
export type Standing = 'fine' | 'note' | 'warning' | 'wrong'

/** What one look found. */
export interface Diagnosis {
  check: string
  standing: Standing
  says: string
  /** How to mend it; with every warning and whatever is wrong. */
  remedy?: string
}

export function fine(check: string, says: string): Diagnosis {
  return { check, standing: 'fine', says }
}

export function note(check: string, says: string): Diagnosis {
  return { check, standing: 'note', says }
}

export function warning(check: string, says: string, remedy: string): Diagnosis {
  return { check, standing: 'warning', says, remedy }
}

export function wrong(check: string, says: string, remedy: string): Diagnosis {
  return { check, standing: 'wrong', says, remedy }
}
