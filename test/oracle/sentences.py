"""The sentences the fixtures are made of: written for this project, three classes, odd characters on purpose."""

LABELS = ["cooking", "travel", "weather"]

ROWS = [
    ("Stir the soup until the carrots are soft.", "cooking"),
    ("The last train leaves at ten past nine.", "travel"),
    ("Heavy rain is expected along the coast tonight.", "weather"),
    ("Add two spoons of flour, then a pinch of salt.", "cooking"),
    ("Our hotel was five minutes from the harbour.", "travel"),
    ("A cold front moves in from the north.", "weather"),
    ("Bake at 180 degrees for forty minutes!", "cooking"),
    ("Can I change my ticket to another day?", "travel"),
    ("Fog.", "weather"),
    ("Let the dough rest overnight in the fridge, covered with a damp cloth.", "cooking"),
    ("We crossed the border by bus and walked into the old town.", "travel"),
    ("Sunny spells, with light winds from the south-west.", "weather"),
    ("Chop the onions and fry them in butter.", "cooking"),
    ("The ferry to the island runs twice a day in winter.", "travel"),
    ("Temperatures will fall below zero by morning.", "weather"),
    ("Crème brûlée needs only cream, sugar, eggs and patience.", "cooking"),
    ("Passports, please: the guard looked at each page.", "travel"),
    ("Thunder rolled over the hills for an hour.", "weather"),
    ("Whisk egg whites until stiff.", "cooking"),
    ("She booked a window seat on the night flight.", "travel"),
    ("Snow is likely above 900 metres.", "weather"),
    ("Serve the fish with lemon and new potatoes.", "cooking"),
    ("Which platform does the airport express use?", "travel"),
    ("The drought has lasted since early spring.", "weather"),
    ("Simmer, don't boil, the milk with vanilla.", "cooking"),
    ("The map was wrong, so we asked a farmer for the road.", "travel"),
    ("Gusts of 80 km/h closed the bridge.", "weather"),
    ("Taste the sauce before you add more pepper.", "cooking"),
    ("Our luggage arrived two days after us.", "travel"),
    ("Clear skies and a bright moon tonight.", "weather"),
    ("Roast the nuts slowly so that they do not burn.", "cooking"),
    ("The tram stops in front of the museum.", "travel"),
]

PAIRS = [
    ("What goes into the soup?", "Carrots, onions and a little salt."),
    ("When does the ferry leave?", "Twice a day in winter."),
    ("Will it rain?", "A cold front moves in from the north, and heavy rain is expected along the coast."),
    ("How long must the dough rest?", "Overnight."),
]
