import Type from 'typebox'

// Requests and answers about users and robots. What a name, a grant or an expiry is exactly says src/access; here are their bounds.

export const name = Type.String({ minLength: 1, maxLength: 63, description: '1 to 63 of a-z, 0-9, ".", "_", "-"' })
export const grant = Type.String({ minLength: 1, maxLength: 300, description: 'ACTION=PATTERN, such as pull=shop/**; or admin' })
const password = Type.String({ minLength: 1, maxLength: 1024, description: 'at least 8 characters' })
const instant = Type.String({ format: 'date-time' })
const exact = { additionalProperties: false }

export const account = Type.Object({
  name: Type.String(),
  grants: Type.Array(Type.String()),
  createdAt: instant,
  expiresAt: Type.Optional(instant),
})

export const newUser = Type.Object({ name, password, grants: Type.Optional(Type.Array(grant, { maxItems: 256 })) }, exact)
export const newPassword = Type.Object({ name, password }, exact)
export const newRobot = Type.Object(
  {
    name,
    grants: Type.Optional(Type.Array(grant, { maxItems: 256 })),
    expires: Type.Optional(
      Type.String({ minLength: 2, maxLength: 60, description: '90d, 12h, or an instant; without it the token does not expire' }),
    ),
  },
  exact,
)
export const robotToken = Type.Object({
  name: Type.String(),
  token: Type.String({ description: 'shown this once' }),
  expiresAt: Type.Optional(instant),
})
export const moreGrants = Type.Object({ name, grants: Type.Array(grant, { minItems: 1, maxItems: 256 }) }, exact)

export const byName = Type.Object({ name }, exact)
export const fewerGrants = Type.Object(
  { name, grant: Type.Array(grant, { minItems: 1, maxItems: 256, description: 'repeated for several' }) },
  exact,
)
export const nothing = Type.Null({ description: 'done' })
