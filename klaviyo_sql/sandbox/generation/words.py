"""What the generated account is worded with: ordinary shop data, and the names that break careless software."""

from __future__ import annotations

FIRST_NAMES = (
    "Anna", "ANNA", "anna", "Ben", "Chloé", "Dmitri", "Émile", "Fatima", "Grace", "Hiro", "Inés", "João", "Kwame", "Lena", "Mía", "Noor",
    "Olu", "Priya", "Quinn", "Rosa", "Søren", "Tomás", "Uma", "Vera", "Wei", "Ximena", "Yusuf", "Zoë", "Łukasz", "Ayşe", "李", "Наталья",
)  # fmt: skip

LAST_NAMES = (
    "Smith", "smith", "SMITH", "O'Brien", "d'Arc", "de la Cruz", "Müller", "Nguyễn", "Öztürk", "Kowalska", "Johnson-Lee", "García", "王",
    "Иванова", "van der Berg", "Null", "Tester", "Brown", "Silva", "Haddad",
)  # fmt: skip

NASTY_TEXTS = (
    'Robert "Bobby" Tables',
    "O'Neil; DROP TABLE profiles; --",
    "comma, separated, name",
    "[brackets] (round) {curly}",
    "back\\slash \\\" mixed \\' quotes",
    "100% sure_thing",
    "plus+plus & ampersand?=#",
    "ünïcödé ñandú ß İstanbul",
    "emoji 🎉👩🏽‍🚀",
    "tab\there and\nnewline",
    " leading and trailing ",
    "'",
    '"',
    "\\",
    "%",
    "_",
    "null",
    "עברית العربية",
)

LONG_NAME = "A very long name, longer than anyone would type: " + "lorem ipsum dolor sit amet " * 9 + "and so on"

ORGANIZATIONS = ("Acme, Inc.", "Smith & Sons", 'The "Best" Shop', "100% Cotton", "naïve café", "", "Globex")

CITIES = (
    ("New York", "New York", "United States", "10001", "America/New_York", 40.7128, -74.006),
    ("Copenhagen", "Capital Region", "Denmark", "2300", "Europe/Copenhagen", 55.66, 12.57),
    ("São Paulo", "São Paulo", "Brazil", "01000-000", "America/Sao_Paulo", -23.55, -46.63),
    ("Zürich", "Zürich", "Switzerland", "8001", "Europe/Zurich", 47.3769, 8.5417),
    ("東京", "東京都", "Japan", "100-0001", "Asia/Tokyo", 35.6762, 139.6503),
    ("St. John's", "Newfoundland and Labrador", "Canada", "A1A", "America/St_Johns", 47.5615, -52.7126),
    ("Austin", "Texas", "United States", "73301", "America/Chicago", 30.2672, -97.7431),
)

LIST_NAMES = (
    "Newsletter",
    "newsletter",
    'Weekend "Deals"',
    "VIP, Gold",
    "Back\\slash list",
    "50%_off club",
    "C++ fans + friends",
    "[Archived] 2024",
    "Ünïcode Freunde 🎉",
    "O'Brien's list",
    "Empty list",
    "Preview",
    "SMS Subscribers",
    "Everyone (imported)",
)
EMPTY_LIST = LIST_NAMES.index("Empty list")
LARGE_LIST = LIST_NAMES.index("Everyone (imported)")

SEGMENT_NAMES = (
    "Engaged (90 days)",
    "Win-back",
    "win-back",
    'Bought "Classic Tee"',
    "CA, NY & TX",
    "100% match_rate",
    "Nobody yet",
    "Being computed",
    "a+b",
    "Élite 🏆",
    "It's complicated",
    "[test] \\ segment",
)
EMPTY_SEGMENT = SEGMENT_NAMES.index("Nobody yet")
PROCESSING_SEGMENT = SEGMENT_NAMES.index("Being computed")

TAG_NAMES = ("important", "Important", "season: summer, 2026", 'the "A" team', "été ☀️", "50%")

PRODUCTS = (
    ("Classic Tee", "TEE-001", 19.5, "Basics"),
    ('6" Planter', "PLANT-6", 34.0, "Home & Garden"),
    ("Crème brûlée set", "CREME-2", 42.25, "Kitchen"),
    ("Mug, 12 oz", "MUG-12", 12.0, "Kitchen"),
    ("C++ Primer", "BOOK-CPP", 59.99, "Books"),
    ("50% cotton_blend socks", "SOCK-50", 8.75, "Basics"),
    ("Gift card", "GIFT", 25.0, "Gifts"),
    ("Lamp \\ Light", "LAMP-1", 129.0, "Home"),
)

SUBJECTS = (
    "Don't miss out!",
    "You left something in your cart 🛒",
    '"Exclusive" offer, just for you',
    "Ünser Sommer",
    "50% off everything",
    "Welcome",
)
EMAIL_DOMAINS = ("example.com", "example.org", "mail.example.net", "post.example.de")
URLS = ("https://shop.example.com/", "https://shop.example.com/sale?utm_source=klaviyo&x=1,2", "https://shop.example.com/tees/classic#top")
CLIENTS = (("Gmail", "Webmail"), ("Apple Mail", "Mobile Client"), ("Outlook", "Email Client"))
