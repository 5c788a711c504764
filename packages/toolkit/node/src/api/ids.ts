import { z } from 'zod'

export const nodeIdSchema = z.string().regex(/^[0-9a-f]{32}$/, 'a NodeID is 32 hexadecimal digits')
