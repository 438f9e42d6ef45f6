PATH: str
VERSION: str
