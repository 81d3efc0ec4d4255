/** Forms with files, as browsers and curl send them: `multipart/form-data`. */
import { badRequest, HttpError } from './faults.js'

/** Resolves with the fields of a form, files as text; rejects with a 400 when it is none, or has a field twice. */
export async function multipartFields(
  body: Uint8Array,
  contentType: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType))
    throw new HttpError(415, 'unsupported_media_type', 'wanted a body of the type multipart/form-data')
  const fields = new Map<string, string>()
  for (const [name, value] of await formIn(body, contentType)) {
    if (fields.has(name)) throw badRequest(`${name.slice(0, 64)}: wanted it once`)
    fields.set(name, typeof value === 'string' ? value : await value.text())
  }
  return Object.fromEntries(fields)
}

async function formIn(body: Uint8Array, contentType: string): Promise<FormData> {
  try {
    return await new Response(Buffer.from(body), { headers: { 'Content-Type': contentType } }).formData()
  } catch {
    throw badRequest('the body is no form as its boundary says')
  }
}
