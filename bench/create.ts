/** What a POST has made. @throws an Error that says what the gateway answered instead of 201 */
export async function create<Made>(url: string, key: string, path: string, body: object): Promise<Made> {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.status !== 201) throw new Error(`POST ${path}: ${await response.text()}`);
  return (await response.json()) as Made;
}
